import { defineStore } from 'pinia'
import { ref } from 'vue'
import { setReconnectDelays } from 'wenzhen-client'
import { api, type ServerConfig } from '@/api'

/** The server's public configuration; until it is loaded, the limits of the contract. */
export const useServerConfig = defineStore('serverConfig', () => {
  const config = ref<ServerConfig>({
    version: '',
    limits: { textCharacters: 10_000, attachmentBytes: 20 << 20, voiceSeconds: 120, voiceBytes: 5_000_000 },
    realtime: { pingIntervalMs: 25_000, pingTimeoutMs: 20_000, reconnectDelayMs: 500, reconnectDelayMaxMs: 5_000 },
    pushKey: '',
    mail: false,
  })
  const load = async () => {
    try {
      config.value = await api.config()
      setReconnectDelays(config.value.realtime)
    } catch {
      // The limits are checked by the server, too.
    }
  }
  return { config, load }
})
