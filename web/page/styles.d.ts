/** Style sheets are imported for their effect; the builder turns them into files. */
declare module '*.css'
