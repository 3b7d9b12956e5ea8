import { describe, expect, it } from 'vitest'
import { recovery, type Surroundings } from './upgrade'

function tab(over: Partial<Surroundings> = {}) {
  const kept = new Map<string, string>()
  const opened: string[] = []
  const said: string[] = []
  const recover = recovery({
    storage: { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) },
    open: (path) => opened.push(path),
    reachable: () => Promise.resolve(true),
    busy: () => false,
    say: (what) => said.push(what),
    ...over,
  })
  return { recover, opened, said }
}

describe('a page of which a part is gone', () => {
  it('is opened anew, once', async () => {
    const { recover, opened, said } = tab()
    await recover.lost('/appointments?a=1')
    await recover.lost('/appointments?a=1')
    expect(opened).toEqual(['/appointments?a=1'])
    expect(said).toEqual(['newVersion'])
  })

  it('is opened anew after the next upgrade, too', async () => {
    const { recover, opened, said } = tab()
    await recover.lost('/a')
    recover.arrived()
    await recover.lost('/a')
    expect([opened, said]).toEqual([['/a', '/a'], []])
  })

  it('is not opened without a network', async () => {
    const { recover, opened, said } = tab({ reachable: () => Promise.resolve(false) })
    await recover.lost('/a')
    expect([opened, said]).toEqual([[], ['offline']])
  })

  it('does not end a call', async () => {
    const { recover, opened, said } = tab({ busy: () => true })
    await recover.lost('/a')
    expect([opened, said]).toEqual([[], ['newVersion']])
  })

  it('is opened once for several parts', async () => {
    const { recover, opened, said } = tab()
    await Promise.all([recover.lost('/a'), recover.lost('/a')])
    expect([opened, said]).toEqual([['/a'], []])
  })
})
