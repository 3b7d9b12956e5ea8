/** Texts about the user's own data. */
export const privacyZhCN = {
  privacy: {
    title: '我的数据',
    exportText: '将您在本平台的全部数据打包为一个 ZIP 文件，包括可阅读的网页、供其他软件读取的 JSON 和 FHIR，以及您的文件。获得该文件的人可以查看全部内容，请妥善保管。',
    export: '下载我的数据',
    exporting: '正在准备数据，可能需要一些时间。',
    exported: '数据已保存',
    erase: '注销账户',
    eraseTitle: '注销账户？',
    eraseText: '注销后无法再登录此账户。您的姓名、邮箱、设备、通知和偏好设置会立即删除，且无法恢复。请先下载您的数据。',
    kept: '病历须依法保存：{count} 次问诊会保留，消息和文件最晚保留至 {messages}，诊断和处方至少保留至 {records}。',
    sure: '我已了解，注销我的账户',
    erased: '账户已注销',
    blocked: '账户暂时不能注销：',
    obstacle: {
      consultations: '还有未结束的问诊，请先结束或取消。',
      appointments: '还有未完成的预约或候补，请先取消。',
      money: '有退款正在处理，请到账后再试。',
      hold: '因法律原因，您的数据须保留，请联系诊所。',
      last_admin: '您是唯一的管理员，请先创建另一位管理员。',
    },
  },
}
