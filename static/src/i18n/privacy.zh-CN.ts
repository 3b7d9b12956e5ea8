/** Texts about one's own data. */
export const privacyZhCN = {
  privacy: {
    title: '我的数据',
    exportText: '把问诊中您的全部数据打包为一个 ZIP 文件：可阅读的网页、供程序读取的 JSON 与 FHIR，以及您的文件。拿到它的人可以看到全部内容，请妥善保管。',
    export: '下载我的数据',
    exporting: '正在准备数据，可能需要一些时间。',
    exported: '数据已保存',
  },
}
