import { ElMessageBox } from 'element-plus'

/** Asks once more before something is fixed for good. */
export async function confirmSignature(t: (key: string) => string): Promise<boolean> {
  try {
    await ElMessageBox.confirm(t('record.signText'), t('record.signTitle'), { confirmButtonText: t('record.sign'), cancelButtonText: t('common.cancel') })
    return true
  } catch {
    return false
  }
}

/** Hands a file to the reader's device. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
