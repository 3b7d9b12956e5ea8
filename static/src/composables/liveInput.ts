import type { Directive } from 'vue'

type Take = (text: string) => void

const takers = new WeakMap<HTMLElement, Take>()

/**
 * Calls its value with each input, also while an input method composes. ElInput
 * waits until the composition has ended; keyboards of phones compose every word
 * until a space, so that a single word would never arrive:
 *
 *     <ElInput v-model="text" v-live-input="(now) => (text = now)" />
 *
 * With the modifier touch it does so on phones and tablets only: on other devices
 * a composition is often not a word yet (pinyin), and nothing to search for.
 */
export const vLiveInput: Directive<HTMLElement, Take, 'touch'> = {
  mounted(el, { value, modifiers }) {
    takers.set(el, value)
    el.addEventListener('input', (e) => {
      if (!(e instanceof InputEvent) || !e.isComposing) return
      if (modifiers.touch && !window.matchMedia('(hover: none) and (pointer: coarse)').matches) return
      const { target } = e
      if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) takers.get(el)?.(target.value)
    })
  },
  updated(el, { value }) {
    takers.set(el, value)
  },
}
