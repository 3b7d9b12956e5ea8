import type { HoldTexts } from './hold.zh-CN'

export const holdEn: HoldTexts = {
  hold: {
    tab: 'Legal holds',
    lead: 'Data that must be kept for legal reasons, such as a lawsuit or an inspection. Until a hold is lifted, the user can’t delete the account, and expired messages and files are kept.',
    of: 'Place a legal hold on {name}',
    place: 'Place legal hold',
    placeName: 'Place legal hold on {name}',
    placeText: 'Until the hold is lifted, all of this user’s data is kept: the account can’t be deleted, and expired messages and files stay. The reason is recorded in the audit log.',
    reason: 'Reason',
    placed: 'Legal hold placed on {name}',
    held: 'On legal hold',
    release: 'Lift hold',
    releaseName: 'Lift hold on {name}',
    releaseOf: 'Lift the legal hold on {name}?',
    releaseText: 'The user can delete the account again, and expired messages and files are removed at the next clean-up. This is recorded in the audit log.',
    released: 'Legal hold on {name} lifted',
    because: 'Reason: {reason}',
    by: 'Placed by {name}, {at}',
    none: 'No legal holds',
    noneText: 'To place a legal hold, find the user under “Users”.',
    users: 'Go to users',
  },
}
