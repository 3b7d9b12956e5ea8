import { at, http } from '.'
import { askAsGuest } from './http'
import type {
  Acknowledgement,
  BackgroundInput,
  CodeList,
  Diagnosis,
  DiagnosisInput,
  DiagnosisList,
  DrugList,
  MyPermissions,
  PatientRecord,
  Prescription,
  PrescriptionInput,
  PrescriptionList,
  RecordTemplate,
  TemplateList,
  TreatedList,
  Verification,
} from './wire.gen'

const within = (consultationId: string, what: string) => `${at('/consultations', consultationId)}/${what}`
const diagnosis = (id: string, what = '') => at('/diagnoses', id) + what
const prescription = (id: string, what = '') => at('/prescriptions', id) + what
const record = (patientId: string) => `${at('/patients', patientId)}/record`

/** REST of diagnoses, prescriptions and the patient's record. */
export const recordApi = {
  drugs: (q: string) => http.json<DrugList>('GET', '/drugs', { query: { q, limit: 8 } }),
  codes: (q: string, signal?: AbortSignal) => http.json<CodeList>('GET', '/icd10', { query: { q }, signal }),

  diagnoses: (consultationId: string) => http.json<DiagnosisList>('GET', within(consultationId, 'diagnoses')),
  diagnosis: (id: string) => http.json<Diagnosis>('GET', diagnosis(id)),
  draftDiagnosis: (consultationId: string, id: string, body: DiagnosisInput) =>
    http.json<Diagnosis>('POST', within(consultationId, 'diagnoses'), { body: { id, ...body } }),
  reviseDiagnosis: (id: string, body: DiagnosisInput) => http.json<Diagnosis>('PUT', diagnosis(id), { body }),
  amendDiagnosis: (of: string, id: string, body: DiagnosisInput) => http.json<Diagnosis>('POST', diagnosis(of, '/amend'), { body: { id, ...body } }),
  discardDiagnosis: (id: string) => http.json<undefined>('DELETE', diagnosis(id)),
  signDiagnosis: (id: string) => http.json<Diagnosis>('POST', diagnosis(id, '/sign')),

  prescriptions: (consultationId: string) => http.json<PrescriptionList>('GET', within(consultationId, 'prescriptions')),
  prescription: (id: string) => http.json<Prescription>('GET', prescription(id)),
  draftPrescription: (consultationId: string, id: string, body: PrescriptionInput) =>
    http.json<Prescription>('POST', within(consultationId, 'prescriptions'), { body: { id, ...body } }),
  revisePrescription: (id: string, body: PrescriptionInput) => http.json<Prescription>('PUT', prescription(id), { body }),
  amendPrescription: (of: string, id: string, body: PrescriptionInput) =>
    http.json<Prescription>('POST', prescription(of, '/amend'), { body: { id, ...body } }),
  discardPrescription: (id: string) => http.json<undefined>('DELETE', prescription(id)),
  signPrescription: (id: string, acknowledged: Acknowledgement[]) => http.json<Prescription>('POST', prescription(id, '/sign'), { body: { acknowledged } }),
  voidPrescription: (id: string, reason: string) => http.json<Prescription>('POST', prescription(id, '/void'), { body: { reason } }),
  approve: (id: string) => http.json<Prescription>('POST', prescription(id, '/approve')),
  reject: (id: string, reason: string) => http.json<Prescription>('POST', prescription(id, '/reject'), { body: { reason } }),
  queue: (cursor?: string) => http.json<PrescriptionList>('GET', '/prescriptions/queue', { query: { cursor } }),
  pdf: (kind: 'diagnosis' | 'prescription', id: string) => http.blob(kind === 'diagnosis' ? diagnosis(id, '/pdf') : prescription(id, '/pdf')),
  summaryPdf: (consultationId: string) => http.blob(within(consultationId, 'summary/pdf')),

  templates: () => http.json<TemplateList>('GET', '/me/templates'),
  saveTemplates: (items: RecordTemplate[]) => http.json<TemplateList>('PUT', '/me/templates', { body: { items } }),
  duties: () => http.json<MyPermissions>('GET', '/me/duties'),

  patients: () => http.json<TreatedList>('GET', '/patients'),
  record: (patientId: string) => http.json<PatientRecord>('GET', record(patientId)),
  /** Refused with `conflict` when there is a newer version than the one read. */
  updateRecord: ({ patientId, version, ...body }: BackgroundInput) => http.json<PatientRecord>('PUT', record(patientId), { body, ifMatch: version }),

  verify: (kind: string, id: string, sha256: string) => askAsGuest<Verification>('GET', '/verify', { query: { kind, id, sha256 } }),
}
