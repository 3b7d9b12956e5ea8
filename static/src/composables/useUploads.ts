import { computed, onScopeDispose, reactive } from 'vue'
import { api } from '@/api'
import { Failure } from '@/api/failure'
import { newId } from '@/api/id'
import type { Attachment } from '@/api/wire.gen'
import { useServerConfig } from '@/stores/serverConfig'

export interface UploadItem {
  id: string
  file: File
  share: number
  /** Of a voice message: how loud it is from beginning to end. */
  peaks?: number[]
  failure?: Failure
  abort: AbortController
}

/** Files on their way to the server, one at a time, in the order given. */
export function useUploads(consultationId: string, done: (attachment: Attachment, peaks?: number[]) => void) {
  const server = useServerConfig()
  const items = reactive<UploadItem[]>([])
  let running = false

  function add(files: Iterable<File>, peaks?: number[]): void {
    for (const file of files) {
      const item: UploadItem = { id: newId(), file, share: 0, peaks, abort: new AbortController() }
      if (file.size > server.config.limits.attachmentBytes) {
        item.failure = new Failure({ code: 'too_large', message: 'too large', retryable: false })
      }
      items.push(item)
    }
    void run()
  }

  async function run(): Promise<void> {
    if (running) return
    running = true
    for (let item = next(); item; item = next()) await upload(item)
    running = false
  }

  const next = () => items.find((item) => !item.failure)

  async function upload(item: UploadItem): Promise<void> {
    try {
      const attachment = await api.upload(consultationId, item.file, {
        signal: item.abort.signal,
        onProgress: (share) => (item.share = share),
      })
      remove(item)
      done(attachment, item.peaks)
    } catch (thrown) {
      const failure = Failure.from(thrown)
      if (failure.code === 'aborted') remove(item)
      else item.failure = failure
    }
  }

  function remove(item: UploadItem): void {
    const index = items.findIndex((other) => other.id === item.id)
    if (index >= 0) items.splice(index, 1)
  }

  function cancel(item: UploadItem): void {
    item.abort.abort()
    if (item.failure) remove(item)
  }

  function retry(item: UploadItem): void {
    item.failure = undefined
    item.share = 0
    void run()
  }

  const busy = computed(() => items.some((item) => !item.failure))
  const warn = (e: BeforeUnloadEvent) => {
    if (busy.value) e.preventDefault()
  }
  window.addEventListener('beforeunload', warn)
  onScopeDispose(() => {
    window.removeEventListener('beforeunload', warn)
    for (const item of items) item.abort.abort()
  })
  return { items, add, cancel, retry }
}
