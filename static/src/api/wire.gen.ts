// The wire's types are generated into the client package, which this app is built on.
export type * from 'wenzhen-client/wire'
