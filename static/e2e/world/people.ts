import { randomUUID } from 'node:crypto'
import type { Consultation, Doctor, Login, Message, ConsultationOpened, SocketList, User } from '../../src/api/wire.gen'
import { admin } from './server'

export const password = 'e2e-password'

/** Someone who talks to the server over REST, to set the scene of a test. */
export class Person {
  private constructor(
    private readonly server: string,
    readonly user: User,
    private readonly token: string,
  ) {}

  static async register(server: string, role: 'patient' | 'doctor', name: string, locale = 'zh-CN'): Promise<Person> {
    const email = `${role}-${randomUUID().slice(0, 8)}@e2e.example`
    const login = await post<Login>(server, '/auth/register', { role, name, email, password, locale, timeZone: 'Asia/Shanghai' })
    return new Person(server, login.user, login.accessToken)
  }

  static async logIn(server: string, email: string, secret: string): Promise<Person> {
    const login = await post<Login>(server, '/auth/login', { email, password: secret })
    return new Person(server, login.user, login.accessToken)
  }

  /** A doctor whom patients can find, with free services. */
  static async practise(server: string, name: string, profile: Partial<Doctor> = {}): Promise<Person> {
    const doctor = await Person.register(server, 'doctor', name)
    const free = { medium: 'text', price: 0, currency: 'CNY', minutes: 15 }
    const services = [
      { ...free, service: 'advice' },
      { ...free, service: 'followup' },
    ]
    await doctor.ask('PATCH', '/me/doctor', { title: '主治医师', department: '内科', bio: '', languages: ['zh'], services, onDuty: true, ...profile })
    await Person.verify(server, doctor.user.id)
    return doctor
  }

  static async verify(server: string, doctorId: string): Promise<void> {
    const root = await Person.logIn(server, admin.email, admin.password)
    await root.ask('POST', `/admin/doctors/${doctorId}/verify`)
  }

  /** A doctor who decides about prescriptions. */
  static async appointPharmacist(server: string, doctor: Person): Promise<void> {
    const root = await Person.logIn(server, admin.email, admin.password)
    await root.ask('POST', `/admin/pharmacists/${doctor.user.id}`)
  }

  /** The number of this user's sockets that are open. */
  async sockets(): Promise<number> {
    const root = await Person.logIn(this.server, admin.email, admin.password)
    return (await root.ask<SocketList>('GET', `/admin/sockets?userId=${this.user.id}`)).items.length
  }

  ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return call<T>(this.server, method, path, body, this.token)
  }

  async consult(doctor: Person, complaint = '咳嗽三天，夜里加重。', medium: Consultation['medium'] = 'text'): Promise<Consultation> {
    const body = { doctorId: doctor.user.id, service: 'advice', medium, complaint }
    return (await this.ask<ConsultationOpened>('POST', '/consultations', body)).consultation
  }

  accept(c: Consultation): Promise<Consultation> {
    return this.ask('POST', `/consultations/${c.id}/accept`)
  }

  say(c: Consultation, text: string): Promise<Message> {
    return this.ask('POST', `/consultations/${c.id}/messages`, { clientId: randomUUID(), kind: 'text', text })
  }
}

const post = <T>(server: string, path: string, body: unknown) => call<T>(server, 'POST', path, body)

async function call<T>(server: string, method: string, path: string, body?: unknown, token?: string): Promise<T> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (token) headers.Authorization = `Bearer ${token}`
  const response = await fetch(`${server}/api/v1${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}
