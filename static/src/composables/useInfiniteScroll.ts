import { onScopeDispose, watch, type Ref } from 'vue'

/** Calls more when the element comes near the screen. */
export function useInfiniteScroll(sentinel: Ref<HTMLElement | null | undefined>, more: () => void, rootMargin = '300px') {
  let observer: IntersectionObserver | undefined
  watch(
    sentinel,
    (element) => {
      observer?.disconnect()
      if (!element) return
      observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && more(), { rootMargin })
      observer.observe(element)
    },
    { immediate: true, flush: 'post' },
  )
  onScopeDispose(() => observer?.disconnect())
}
