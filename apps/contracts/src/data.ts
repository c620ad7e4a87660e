/** The properties of a message class, as its constructor takes them. */
export type Data<T> = { readonly [K in keyof T & string]: T[K] };
