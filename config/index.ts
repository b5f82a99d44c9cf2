/** The door of config/: settings and bounds. */
export * from './limits.ts'
export { ConfigError, type ConfigSources, describeRange, loadConfig } from './load.ts'
export { type Config, SETTINGS, type Setting, type SettingKey } from './schema.ts'
