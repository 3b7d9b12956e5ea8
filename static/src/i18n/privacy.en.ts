/** Texts about the user's own data. */
export const privacyEn = {
  privacy: {
    title: 'Your data',
    exportText: 'Everything Wenzhen has of you in one ZIP file: pages to read, JSON and FHIR for programs, and your files. Anyone who has the file can read all of it, so keep it safe.',
    export: 'Download my data',
    exporting: 'Preparing your data. This can take a while.',
    exported: 'Your data has been saved',
    erase: 'Delete account',
    eraseTitle: 'Delete your account?',
    eraseText: 'Nobody can log in to it any more. Your name, e-mail address, devices, notifications and preferences are removed at once. This cannot be undone; download your data first.',
    kept: 'The law wants medical records kept: one consultation stays, its messages and files until {messages}, its diagnosis and prescription at least until {records}. | The law wants medical records kept: {count} consultations stay, their messages and files until {messages} at the latest, diagnoses and prescriptions at least until {records}.',
    sure: 'I understand, delete my account',
    erased: 'Your account has been deleted',
    blocked: 'Your account cannot be deleted yet:',
    obstacle: {
      consultations: 'A consultation is still open. End or cancel it first.',
      appointments: 'There is an appointment to come, or a place on a waitlist. Cancel it first.',
      money: 'A refund is on its way. Try again when it has arrived.',
      hold: 'Your data has to be kept because of a legal matter. Please ask the clinic.',
      last_admin: 'You are the only administrator. Appoint another one first.',
    },
  },
}
