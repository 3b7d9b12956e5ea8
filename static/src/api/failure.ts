export { Failure, readFailure } from 'wenzhen-client'
