import { defineStore } from 'pinia'
import { ref } from 'vue'
import { recordApi } from '@/api/record'
import type { RecordTemplate } from '@/api/wire.gen'

/** The doctor's quick templates. */
export const useTemplates = defineStore('templates', () => {
  const items = ref<RecordTemplate[]>([])
  const load = async () => {
    try {
      items.value = (await recordApi.templates()).items
    } catch {
      // Without them everything is written by hand.
    }
  }
  const add = async (template: RecordTemplate) => {
    items.value = (await recordApi.saveTemplates([...items.value, template])).items
  }
  return { items, load, add }
})
