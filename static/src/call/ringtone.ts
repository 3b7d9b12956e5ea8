/** Two notes, again and again, made here: no file to load. Returns how to stop it. */
export function ring(outgoing: boolean): () => void {
  const context = new AudioContext()
  // Without a click on the page a browser may keep silent; the screen rings anyway.
  void context.resume().catch(() => undefined)
  const notes = outgoing ? [440] : [659, 523]
  const play = () => {
    notes.forEach((frequency, i) => {
      const at = context.currentTime + i * 0.28
      const tone = context.createOscillator()
      const volume = context.createGain()
      tone.frequency.value = frequency
      volume.gain.setValueAtTime(0, at)
      volume.gain.linearRampToValueAtTime(outgoing ? 0.05 : 0.15, at + 0.03)
      volume.gain.exponentialRampToValueAtTime(0.0001, at + (outgoing ? 0.9 : 0.6))
      tone.connect(volume).connect(context.destination)
      tone.start(at)
      tone.stop(at + 1)
    })
  }
  play()
  const timer = setInterval(play, outgoing ? 3000 : 2000)
  return () => {
    clearInterval(timer)
    void context.close()
  }
}

/** Plays one note through a speaker, for the device test. */
export async function chime(speaker?: string): Promise<void> {
  const context = new AudioContext()
  const choose = (context as AudioContext & { setSinkId?: (id: string) => Promise<void> }).setSinkId
  if (speaker && choose) await choose.call(context, speaker).catch(() => undefined)
  const tone = context.createOscillator()
  const volume = context.createGain()
  tone.frequency.value = 523
  volume.gain.setValueAtTime(0.2, context.currentTime)
  volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + 1)
  tone.connect(volume).connect(context.destination)
  tone.start()
  tone.stop(context.currentTime + 1)
  await new Promise((resolve) => (tone.onended = resolve))
  await context.close()
}
