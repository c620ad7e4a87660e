import type { ReadView } from './read-view.js';

interface Product {
  readonly sku: string;
  readonly status: 'new' | 'sold';
  readonly price: number;
  readonly tags: readonly string[];
  readonly soldAt?: string;
}

const byWhat = {
  status: (row: Product) => row.status,
  price: (row: Product) => row.price,
  tag: (row: Product) => row.tags,
  soldAt: (row: Product) => row.soldAt,
};

void byWhat;
declare const view: ReadView<Product, typeof byWhat>;
declare const plain: ReadView<Product>;

void view.list({ index: 'status', equals: 'new' });
void view.list({ index: 'price', from: 1, to: 10, backwards: true, limit: 10, cursor: 'abc' });
void view.list({ index: 'tag', equals: 'cheap' });
void view.list({ index: 'soldAt', from: '2026' });
void view.list({ index: 'soldAt' }).then((page) => page.rows.map((row) => row.sku));
void view.list().then((rows) => rows.map((row) => row.sku));

// An index that is known only at runtime.
declare const textual: 'status' | 'tag';
declare const sortable: 'price' | 'soldAt' | 'tag';
declare const any: keyof typeof byWhat;
void view.list({ index: sortable });
void view.list({ index: any, backwards: true, limit: 10 }).then((page) => page.rows.map((row) => row.sku));
void view.list({ index: textual, equals: 'new' });
function pageOf<Index extends 'status' | 'price'>(index: Index) {
  return view.list<'status' | 'price'>({ index, limit: 10 });
}
void pageOf('price');
// @ts-expect-error a tag may be this, a status may not
void view.list({ index: textual, equals: 'cheap' });
// @ts-expect-error no value is a number and a text
void view.list({ index: sortable, from: 1 });

// @ts-expect-error no such index
void view.list({ index: 'colour', equals: 'red' });
// @ts-expect-error no status has this value
void view.list({ index: 'status', equals: 'old' });
// @ts-expect-error prices are numbers
void view.list({ index: 'price', from: '1' });
// @ts-expect-error a value, or a range
void view.list({ index: 'price', equals: 1, to: 2 });
// @ts-expect-error a tag is one text
void view.list({ index: 'tag', equals: ['cheap'] });
// @ts-expect-error the view has no index
void plain.list({ index: 'status', equals: 'new' });
// @ts-expect-error indexes are of the rows of this view
declare const other: ReadView<{ readonly title: string }, typeof byWhat>;
void other;
