import { ref } from 'vue'

/** A dialog about one item of a list: ask opens it for an item, which stays in subject while it closes. */
export function useSubjectDialog<T>() {
  const open = ref(false)
  const subject = ref<T>()
  function ask(item: T): void {
    subject.value = item
    open.value = true
  }
  return { open, subject, ask }
}
