/** Texts about one's own data. */
export const privacyEn = {
  privacy: {
    title: 'Your data',
    exportText: 'Everything Wenzhen has of you in one ZIP file: pages to read, JSON and FHIR for programs, and your files. Whoever has it can read it all, so keep it safe.',
    export: 'Download my data',
    exporting: 'Preparing your data. This can take a while.',
    exported: 'Your data has been saved',
  },
}
