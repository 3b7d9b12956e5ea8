import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from '@playwright/test'

const installed = (name: string) => (process.env.PATH ?? '').split(':').map((folder) => join(folder, name)).find(existsSync)

/** Chromium as people have it, for what the one without a window lacks: notifications, and refusing devices. */
export const wholeBrowser = process.env.CHROMIUM || installed('chromium')

/** The one without a window takes a quarter less processor time. */
const browser = process.env.CHROMIUM || (installed('chromium-headless-shell') ?? wholeBrowser)

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
    // Where a test fails its steps are kept, and a picture of its end. What pages were made of and asked for at
    // each step would cost all tests a fifth of their time: run the one that fails with SNAPSHOTS=1.
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: process.env.SNAPSHOTS === '1' },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: browser,
      chromiumSandbox: false,
      args: ['--disable-background-networking', '--disable-quic', '--no-first-run', '--no-default-browser-check', '--disable-component-update'],
    },
  },
})
