import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api } from '@/api'
import { Failure } from '@/api/failure'
import type { QuickReply } from '@/api/wire.gen'

/** A doctor's texts at hand. */
export const useQuickReplies = defineStore('quickReplies', () => {
  const items = ref<QuickReply[]>()
  const failure = ref<Failure>()

  async function load(): Promise<void> {
    try {
      items.value = (await api.quickReplies()).items
      failure.value = undefined
    } catch (thrown) {
      failure.value = Failure.from(thrown)
    }
  }

  async function save(next: QuickReply[]): Promise<void> {
    items.value = (await api.saveQuickReplies(next)).items
  }

  return { items, failure, load, save }
})
