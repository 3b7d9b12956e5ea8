import { ref } from 'vue'
import { newId } from '@/api/id'

interface Kept {
  id: string
}

/**
 * A draft that is kept on the server: `keep` creates it the first time, as the
 * next version of what it amends if there is one, and changes it afterwards.
 */
export function useDraft<Document extends Kept, Input>(
  of: { consultationId: string; draft?: Document; amends?: Document },
  ask: {
    draft: (consultationId: string, id: string, input: Input) => Promise<Document>
    amend: (of: string, id: string, input: Input) => Promise<Document>
    revise: (id: string, input: Input) => Promise<Document>
  },
) {
  const id = ref(of.draft?.id)
  /** Made once: saved again after a timeout, it is the same draft. */
  const fresh = newId()

  async function keep(input: Input): Promise<Document> {
    let kept: Document
    if (id.value) kept = await ask.revise(id.value, input)
    else if (of.amends) kept = await ask.amend(of.amends.id, fresh, input)
    else kept = await ask.draft(of.consultationId, fresh, input)
    id.value = kept.id
    return kept
  }
  return { id, keep }
}
