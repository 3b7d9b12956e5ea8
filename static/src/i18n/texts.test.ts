import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { i18n } from '.'

// All texts of the screens: that both languages have them, that a component
// uses them, and the rules of docs/style-en.md and docs/style-zh-CN.md that a
// program can check.

type Tree = { [key: string]: string | Tree }

const flat = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[prefix + key, value] as [string, string]] : flat(value, `${prefix}${key}.`)))

const { en, 'zh-CN': zh } = i18n.global.messages.value as unknown as Record<'en' | 'zh-CN', Tree>
const english = new Map(flat(en))
const chinese = new Map(flat(zh))

const source = join(import.meta.dirname, '..')
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name) && !/\.test\.ts$/.test(name) && !name.startsWith('i18n/'))
  .map((name) => ({ name, text: readFileSync(join(source, name), 'utf8') }))

/** Quoted words: keys, and last parts of keys. */
const quoted = (text: string) => [...text.matchAll(/["'](\w+(?:\.\w+)*)["']/g)].map((m) => m[1] as string)
const literals = new Set(files.flatMap(({ text }) => quoted(text)))

/** Template literals such as `status.${c.status}`, which stand for several keys. */
const templates = files.flatMap(({ name, text }) =>
  [...text.matchAll(/`([a-z]\w*\.(?:[\w.]|\$\{[^}]+\})*)`/gi)]
    .map((m) => m[1] as string)
    .filter((template) => template.includes('${'))
    .map((template) => ({ name, text, template, keys: new RegExp(`^${template.replaceAll('.', '\\.').replace(/\$\{[^}]+\}/g, '(\\w+)')}$`) })),
)

/** Groups whose keys are values of the server. In other groups a template's file must have the last parts of the keys. */
const enumerations = /^(failure|failureFor|failureAt|failureField|kind|medium|note|part|relation|role|service|sex|signedOut|status|tick)\.\w+$|^\w+\.\w+\.\w/

const isUsed = (key: string) =>
  literals.has(key) ||
  templates.some(({ text, keys }) => {
    const parts = keys.exec(key)?.slice(1)
    return parts && (enumerations.test(key) || parts.every((part) => /^\d$/.test(part) || new RegExp(`["']${part}["']|\\b${part}:`).test(text)))
  })

describe('keys', () => {
  test('both languages have the same keys', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  test('both languages have the same values in a text', () => {
    const named = (text = '') => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]))].sort()
    const different = [...english].filter(([key, text]) => named(text).join() !== named(chinese.get(key)).join()).map(([key]) => key)
    expect(different).toEqual([])
  })

  test('every key is used', () => {
    expect([...english.keys()].filter((key) => !isUsed(key))).toEqual([])
  })

  test('every key that is used has a text', () => {
    const asked = files.flatMap(({ name, text }) => [...text.matchAll(/\bt\(\s*'([\w.]+)'/g)].map((m) => ({ name, key: m[1] as string })))
    expect(asked.length).toBeGreaterThan(500)
    expect(asked.filter(({ key }) => !english.has(key))).toEqual([])
    const empty = templates.filter(({ text, template, keys }) => text.includes(`t(\`${template}\``) && ![...english.keys()].some((key) => keys.test(key)))
    expect(empty.map(({ name, template }) => ({ name, template }))).toEqual([])
  })
})

/** The texts that match what a rule forbids, except those of some keys. */
function breaking(texts: Map<string, string>, forbidden: RegExp, except: RegExp = /^$/): string[] {
  return [...texts].filter(([key, text]) => forbidden.test(text) && !except.test(key)).map(([key, text]) => `${key}: ${text}`)
}

describe('English', () => {
  test.each([
    ['email, not e-mail or mail', /\be-mails?\b|\b(?<!-)mails?\b(?!-)|\bmailed\b/i],
    ['two-factor authentication', /\bsecond (step|factor)\b/i],
    ['notify, not tell', /(told|tells)/i],
    ['a refund, not money that is returned', /\b(goes|went|gives?|gave) back\b|\bback the way\b/i],
    ['accept, not admit', /\badmit(s|ted)?\b/i],
    ['no impersonal "one" or "somebody"', /\b(one’s|somebody|someone’s|nobody|whatever)\b/i],
    ['immediately, not at once', /\bat once\b/i, /frequencies\.st$/],
    ['automatically, not by itself', /\b(by itself|by themselves|by yourself)\b/i],
    ['curly quotes', /["']/],
    ['an ellipsis is one character', /\.\.\./],
    ['no double space or space at an end', / {2}|^ | $/, /^calendar\.and$/],
  ] as [string, RegExp, RegExp?][])('%s', (_, forbidden, except) => {
    expect(breaking(english, forbidden, except)).toEqual([])
  })

  test('a number has a singular', () => {
    const plural = /\{(count|n)\} (?!of\b)[a-z]+s\b/
    expect([...english].filter(([, text]) => plural.test(text) && !text.includes(' | ')).map(([key]) => key)).toEqual([])
  })
})

describe('Chinese', () => {
  const han = '\\p{Script=Han}'
  test.each([
    ['账户，不写账号', /账号/],
    ['白板，不写画板', /画板/],
    ['核验医生，不写认证', /认证/],
    ['既往诊断，不写此前的诊断', /此前的?诊断/],
    ['停诊，不写休假', /休假/],
    ['签署文书，不写签名', /签名(并|后|于|时|医生)|已签名|新签名/],
    ['支付，不写付款', /付款/],
    ['改期，不写改约', /改约/],
    ['验证邮箱，不写确认邮箱', /确认邮箱|邮箱尚?未?已?确认/],
    ['暂停接诊，不写不在岗', /在岗/],
    ['不写翻译腔', /告诉您|告知|此人|那边|这回事|点按|怎样|写入审计/],
    ['品牌名不作普通名词', /登录问诊|打开问诊页面|问诊中您的/],
    ['您，不写你', /你/],
    ['省略号用“…”一个字符', /……|\.\.\./],
    ['标点用全角', new RegExp(`${han}[,.;:!?()]|[,;:!?(]${han}`, 'u')],
    ['引号用“”', /["'「」]/],
    ['汉字与西文、数字之间有空格', new RegExp(`${han}[A-Za-z0-9]|[A-Za-z0-9%]${han}`, 'u')],
    ['数量占位符前后有空格', new RegExp(`${han}\\{(count|n|percent|at|left|time|length|minutes|capacity|seconds|limit|position|amount|node|interval|timeout|first|last|full|part)\\}|\\{(count|n|percent|at|minutes|capacity|seconds|limit|position|node)\\}${han}`, 'u')],
    ['人名占位符前后没有空格', new RegExp(`${han} \\{(name|doctor|patient)\\}|\\{(name|doctor|patient)\\} ${han}`, 'u'), /^(chat\.(openImage|download)|upload|identity|security|invitation\.(consentTitle|withdraw(Name|Text)))\b/], // names of files, providers and devices, addresses
    ['首尾没有空格', / {2}|^ | $/],
  ] as [string, RegExp, RegExp?][])('%s', (_, forbidden, except) => {
    expect(breaking(chinese, forbidden, except)).toEqual([])
  })

  test('every text is translated', () => {
    const words = (text: string) => text.replace(/\{\w+\}|--[\w-]+/g, '')
    const untranslated = [...chinese].filter(([key, text]) => /[A-Za-z]{2}/.test(words(text)) && !/\p{Script=Han}/u.test(text) && english.get(key) === text)
    expect(untranslated.map(([, text]) => text).filter((text) => !/^(WebSocket|Redis|HTTPS|ICD-10|Stripe|mg)$/.test(text))).toEqual([])
  })
})
