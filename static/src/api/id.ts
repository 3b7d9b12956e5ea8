export { newId } from 'wenzhen-client'
