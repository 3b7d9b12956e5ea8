import '@/styles'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '@/App.vue'
import { i18n } from '@/i18n'
import { router } from '@/router'
import { surviveUpgrades } from '@/upgrade'

const app = createApp(App).use(createPinia()).use(i18n)
surviveUpgrades(router)
app.use(router).mount('#app')
