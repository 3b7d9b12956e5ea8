import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

// The one without a window takes a quarter less processor time.
const installed = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(existsSync)

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/runs',
  timeout: 90_000,
  expect: { timeout: 15_000 },
  workers: 2,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    actionTimeout: 15_000,
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    // What pages were made of is kept where a test fails; a film of each would cost all of them time.
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? installed,
      chromiumSandbox: false,
      args: ['--disable-background-networking', '--disable-quic', '--no-first-run', '--no-default-browser-check', '--disable-component-update'],
    },
  },
})
