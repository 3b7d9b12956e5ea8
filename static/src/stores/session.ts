import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { api, tokens } from '@/api'
import { deviceOf, keepDevice } from '@/api/devices'
import { identityApi } from '@/api/identity'
import type { SignedOut } from '@/api/tokens'
import type { Doctor, DoctorChange, Login, LoginInput, MeInput, RegisterInput, User } from '@/api/wire.gen'
import { showTimesIn } from '@/format/time'

/** Who is logged in here. */
export const useSession = defineStore('session', () => {
  const user = ref<User | undefined>(tokens.user)
  const doctor = ref<Doctor>()
  /** Why the login ended, to be said on the login page. */
  const signedOut = ref<SignedOut>()
  watch(() => user.value?.timeZone, showTimesIn, { immediate: true, flush: 'sync' })

  tokens.onRenewed(() => (user.value = tokens.user))
  tokens.onSignedOut((why) => {
    user.value = undefined
    doctor.value = undefined
    signedOut.value = why
  })

  function signIn(login: Login): User {
    signedOut.value = undefined
    doctor.value = undefined
    keepDevice(login.user.email, login.device)
    tokens.signIn(login)
    user.value = login.user
    return login.user
  }

  async function loadSelf(): Promise<void> {
    const self = await api.me()
    tokens.setUser(self.user)
    user.value = self.user
    doctor.value = self.doctor
  }

  async function updateMe(change: MeInput): Promise<void> {
    const self = await api.updateMe(change)
    tokens.setUser(self.user)
    user.value = self.user
    doctor.value = self.doctor ?? doctor.value
  }

  async function updateDoctor(change: DoctorChange): Promise<void> {
    doctor.value = await api.updateDoctor(change)
  }

  async function logOut(): Promise<void> {
    const refreshToken = tokens.refreshToken
    tokens.signOut('asked')
    // The server forgets the session by itself if this does not reach it.
    const there = refreshToken ? await identityApi.logOut(refreshToken).catch(() => undefined) : undefined
    if (there?.redirectUrl) window.location.assign(there.redirectUrl) // the login at the provider ends, too
  }

  return {
    user,
    doctor,
    signedOut,
    role: computed(() => user.value?.role),
    /** Returns no user if the address has to be verified first, with the link in an email. */
    register: async (input: RegisterInput): Promise<User | undefined> => {
      const made = await api.register(input)
      return made.confirm ? undefined : signIn(made as Login)
    },
    logIn: async (input: LoginInput) => signIn(await api.logIn({ ...input, device: deviceOf(input.email) })),
    logInWithPasskey: async () => signIn(await identityApi.logInWithPasskey()),
    finishProvider: async (ticket: string, otp?: string) => signIn(await identityApi.finish({ ticket, otp })),
    loadSelf,
    updateMe,
    updateDoctor,
    logOut,
  }
})
