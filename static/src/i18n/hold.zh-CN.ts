/** Legal holds: whose data is kept, whatever they or the clocks say. */
export const holdZhCN = {
  hold: {
    tab: '法律保全',
    lead: '因诉讼、监管等法律原因须保留的数据。保全期间，用户不能注销账户，到期的消息和文件也不会清除。',
    of: '保全{name}的数据',
    place: '保全数据',
    placeName: '保全数据：{name}',
    placeText: '解除之前，该用户的全部数据都会保留：不能注销账户，到期的消息和文件也不会清除。原因会记入审计日志。',
    reason: '原因',
    placed: '{name}的数据已保全',
    held: '保全中',
    release: '解除保全',
    releaseName: '解除保全：{name}',
    releaseOf: '解除对{name}的保全？',
    releaseText: '解除后，该用户可以注销账户，到期的消息和文件会在下次清理时删除。此操作会记入审计日志。',
    released: '已解除对{name}的保全',
    because: '原因：{reason}',
    by: '设置人：{name}，{at}',
    none: '暂无法律保全',
    noneText: '如需保全数据，请在“用户”中查找相应用户。',
    users: '前往用户',
  },
}

export type HoldTexts = typeof holdZhCN
