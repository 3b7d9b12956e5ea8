import { expect, test } from 'vitest'
import type { DrugWarning } from '@/api/wire.gen'
import { acknowledgements, mayBeSigned, warningKey } from './warnings'

const warning = (code: DrugWarning['code'], severity: DrugWarning['severity'], items: number[], message = ''): DrugWarning => ({
  code, severity, items, message, messageZh: message, source: '',
})

test('a prescription with a stop is never signed, one with warnings only with a reason for each', () => {
  const age = warning('age', 'warn', [0], 'young')
  const dose = warning('dose_high', 'warn', [0], 'much')
  expect(mayBeSigned([], {})).toBe(true)
  expect(mayBeSigned([warning('unknown_drug', 'info', [0])], {})).toBe(true)
  expect(mayBeSigned([age], {})).toBe(false)
  expect(mayBeSigned([age], { [warningKey(age)]: '  ' })).toBe(false)
  expect(mayBeSigned([age, dose], { [warningKey(age)]: 'specialist' })).toBe(false)
  expect(mayBeSigned([age, dose], { [warningKey(age)]: 'specialist', [warningKey(dose)]: 'as before' })).toBe(true)
  expect(mayBeSigned([warning('controlled', 'stop', [0], 'no')], { 'controlled 0 no': 'please' })).toBe(false)
})

test('each reason is sent with the message of its warning', () => {
  const first = warning('interaction', 'warn', [0, 1], 'bleeding')
  const second = warning('interaction', 'warn', [0, 1], 'kidneys')
  const info = warning('interaction', 'info', [0, 1], 'sleepy')
  const reasons = { [warningKey(first)]: 'INR each week', [warningKey(second)]: 'creatinine too', [warningKey(info)]: 'x' }
  expect(acknowledgements([first, second, info], reasons)).toEqual([
    { code: 'interaction', items: [0, 1], message: 'bleeding', reason: 'INR each week' },
    { code: 'interaction', items: [0, 1], message: 'kidneys', reason: 'creatinine too' },
  ])
})
