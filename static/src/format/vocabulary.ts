// Departments and titles are free text on the server. The usual ones are
// offered in both languages and shown in the reader's.

type Pair = { zh: string; en: string }

const departments: Pair[] = [
  { zh: '全科', en: 'General practice' },
  { zh: '内科', en: 'Internal medicine' },
  { zh: '外科', en: 'Surgery' },
  { zh: '儿科', en: 'Paediatrics' },
  { zh: '妇产科', en: 'Obstetrics & gynaecology' },
  { zh: '皮肤科', en: 'Dermatology' },
  { zh: '心血管内科', en: 'Cardiology' },
  { zh: '呼吸内科', en: 'Respiratory medicine' },
  { zh: '消化内科', en: 'Gastroenterology' },
  { zh: '神经内科', en: 'Neurology' },
  { zh: '内分泌科', en: 'Endocrinology' },
  { zh: '骨科', en: 'Orthopaedics' },
  { zh: '眼科', en: 'Ophthalmology' },
  { zh: '耳鼻喉科', en: 'Ear, nose & throat' },
  { zh: '口腔科', en: 'Dentistry' },
  { zh: '精神心理科', en: 'Psychiatry' },
  { zh: '康复科', en: 'Rehabilitation' },
  { zh: '中医科', en: 'Traditional Chinese medicine' },
]

const titles: Pair[] = [
  { zh: '主任医师', en: 'Chief physician' },
  { zh: '副主任医师', en: 'Associate chief physician' },
  { zh: '主治医师', en: 'Attending physician' },
  { zh: '住院医师', en: 'Resident physician' },
]

const isChinese = (locale: string) => locale.startsWith('zh')

function translate(list: Pair[], value: string, locale: string): string {
  const wanted = value.trim().toLowerCase()
  const pair = list.find((p) => p.zh === value.trim() || p.en.toLowerCase() === wanted)
  return pair ? (isChinese(locale) ? pair.zh : pair.en) : value
}

export const departmentName = (value: string, locale: string) => translate(departments, value, locale)
export const titleName = (value: string, locale: string) => translate(titles, value, locale)

const options = (list: Pair[], locale: string) => list.map((p) => ({ value: p.zh, label: isChinese(locale) ? p.zh : p.en }))

export const departmentOptions = (locale: string) => options(departments, locale)
export const titleOptions = (locale: string) => options(titles, locale)

/** A language's name in the reader's language; what is no code stays as it is. */
export function languageName(code: string, locale: string): string {
  try {
    return new Intl.DisplayNames(locale, { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}
