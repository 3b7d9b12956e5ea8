import { ElMessage } from 'element-plus'

/** A word at the top of the page that goes away by itself. */
export function useToast() {
  return {
    done: (message: string) => ElMessage({ message, type: 'success', grouping: true }),
    error: (message: string) => ElMessage({ message, type: 'error', grouping: true, duration: 5000 }),
    /** One that stays until it is closed. */
    warn: (message: string) => ElMessage({ message, type: 'warning', grouping: true, duration: 0, showClose: true }),
  }
}
