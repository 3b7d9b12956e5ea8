/** Legal holds: whose data is kept, whatever they or the clocks say. */
export const holdZhCN = {
  hold: {
    tab: '法律保全',
    lead: '因诉讼、监管等法律事务需要保留的数据。保全期间，本人不能注销账户，到期的消息和文件也不会清除。',
    of: '保全{name}的数据',
    place: '保全数据',
    placeName: '保全数据：{name}',
    placeText: '直到解除之前，此人的全部数据都会保留：本人不能注销账户，到期的消息和文件也不会清除。原因会写入审计日志。',
    reason: '原因',
    placed: '{name}的数据已保全',
    held: '保全中',
    release: '解除保全',
    releaseName: '解除保全：{name}',
    releaseOf: '解除对{name}的保全',
    releaseText: '解除后，本人可以注销账户，到期的消息和文件会在下一次清理时删除。此操作会写入审计日志。',
    released: '已解除对{name}的保全',
    because: '原因：{reason}',
    by: '{name} 于 {at} 设置',
    none: '没有法律保全',
    noneText: '需要保全某人的数据时，请在“用户”中找到此人。',
    users: '前往用户',
  },
}

export type HoldTexts = typeof holdZhCN
