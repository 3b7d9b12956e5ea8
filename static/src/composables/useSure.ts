import { ElMessageBox } from 'element-plus'
import { useI18n } from 'vue-i18n'

/** Asks whether one is sure: true for the button that does it, false for everything else. */
export function useSure() {
  const { t } = useI18n()
  return (question: { title: string; text: string; confirm: string; danger?: boolean }): Promise<boolean> =>
    ElMessageBox.confirm(question.text, question.title, {
      confirmButtonText: question.confirm,
      cancelButtonText: t('common.cancel'),
      confirmButtonClass: question.danger ? 'el-button--danger' : undefined,
    }).then(
      () => true,
      () => false,
    )
}
