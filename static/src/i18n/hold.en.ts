import type { HoldTexts } from './hold.zh-CN'

export const holdEn: HoldTexts = {
  hold: {
    tab: 'Legal holds',
    lead: 'Data that has to be kept because of a lawsuit, an inspection or the like. Meanwhile its owner cannot delete the account, and messages and files stay whose time is up.',
    of: 'Hold the data of {name}',
    place: 'Hold data',
    placeName: 'Hold data: {name}',
    placeText: 'Until it is lifted, everything of theirs is kept: they cannot delete their account, and messages and files stay whose time is up. The reason goes into the audit log.',
    reason: 'Reason',
    placed: 'The data of {name} is held',
    held: 'On legal hold',
    release: 'Lift hold',
    releaseName: 'Lift hold: {name}',
    releaseOf: 'Lift the hold on {name}',
    releaseText: 'They can delete their account again, and messages and files whose time is up are removed with the next clean-up. It goes into the audit log.',
    released: 'The hold on {name} is lifted',
    because: 'Reason: {reason}',
    by: 'Placed by {name}, {at}',
    none: 'No legal hold',
    noneText: 'To hold the data of someone, find them under “Users”.',
    users: 'Go to users',
  },
}
