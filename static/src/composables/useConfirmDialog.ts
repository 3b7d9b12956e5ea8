import { ElMessageBox } from 'element-plus'
import { useI18n } from 'vue-i18n'

/** Returns a function that shows a dialog and resolves to true if the user confirms, to false if not. */
export function useConfirmDialog() {
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
