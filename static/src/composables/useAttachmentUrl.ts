import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { api } from '@/api'
import { Failure } from '@/api/failure'
import type { Attachment } from '@/api/wire.gen'

/**
 * A picture that needs the login to be fetched, as a URL for <img>. The URL is
 * given back to the browser when the component goes.
 */
export function useAttachmentUrl(attachment: Ref<Attachment | undefined>, wanted: Ref<boolean>, size: 'thumbnail' | 'full') {
  const url = ref<string>()
  const failure = ref<Failure>()
  let asked: AbortController | undefined

  async function load() {
    const file = attachment.value
    if (!file || !wanted.value || url.value) return
    asked?.abort()
    const mine = (asked = new AbortController())
    failure.value = undefined
    try {
      const fetch = size === 'thumbnail' && file.hasThumbnail ? api.thumbnail : api.attachment
      const blob = await fetch(file.id, mine.signal)
      if (!mine.signal.aborted) url.value = URL.createObjectURL(blob)
    } catch (thrown) {
      if (!mine.signal.aborted) failure.value = Failure.from(thrown)
    }
  }

  function forget() {
    asked?.abort()
    if (url.value) URL.revokeObjectURL(url.value)
    url.value = undefined
  }

  watch([() => attachment.value?.id, wanted], ([id], [before]) => {
    if (id !== before) forget()
    void load()
  }, { immediate: true })
  onScopeDispose(forget)
  return { url, failure, load }
}

/** Saves a file to the reader's device. */
export async function saveAttachment(file: Attachment): Promise<void> {
  const url = URL.createObjectURL(await api.attachment(file.id))
  const link = document.createElement('a')
  link.href = url
  link.download = file.name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
