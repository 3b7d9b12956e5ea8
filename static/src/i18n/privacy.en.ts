/** Texts about the user's own data. */
export const privacyEn = {
  privacy: {
    title: 'Your data',
    exportText: 'All your data on this site in one ZIP file: pages to read, JSON and FHIR for other software, and your files. Anyone with the file can read all of it, so keep it safe.',
    export: 'Download my data',
    exporting: 'Preparing your data. This can take a while.',
    exported: 'Your data has been saved',
    erase: 'Delete account',
    eraseTitle: 'Delete your account?',
    eraseText: 'You won’t be able to log in again. Your name, email address, devices, notifications and preferences are deleted immediately. This can’t be undone, so download your data first.',
    kept: 'By law, medical records must be kept: {count} consultation stays, its messages and files until {messages} at the latest, its diagnoses and prescriptions at least until {records}. | By law, medical records must be kept: {count} consultations stay, their messages and files until {messages} at the latest, their diagnoses and prescriptions at least until {records}.',
    sure: 'I understand, delete my account',
    erased: 'Your account has been deleted',
    blocked: 'Your account can’t be deleted yet:',
    obstacle: {
      consultations: 'You still have an open consultation. End or cancel it first.',
      appointments: 'You still have an upcoming appointment or a place on a waitlist. Cancel it first.',
      money: 'A refund is still in progress. Try again once it’s completed.',
      hold: 'Your data must be kept because of a legal matter. Please contact the clinic.',
      last_admin: 'You’re the only administrator. Create another one first.',
    },
  },
}
