import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Type } from 'class-transformer';
import { IsArray, IsBoolean, IsOptional, IsString, ValidateNested } from 'class-validator';
import * as v from 'valibot';
import { z } from 'zod';
import { Event } from '../contract.js';
import { Schema } from '../schema.js';
import { JsonSchemas } from './json-schema.js';

describe('the JSON Schema of a class with decorators', () => {
  it('refers to what it has inside, each class once, also to itself', async () => {
    class Part {
      @IsString() name!: string;
      @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => Part) parts?: Part[];
    }
    @Event('shop.built')
    class Built {
      @ValidateNested() @Type(() => Part) first!: Part;
      @ValidateNested() @Type(() => Part) second!: Part;
    }
    const schemas = new JsonSchemas();
    expect(await schemas.of(Built)).toEqual({ $ref: '#/components/schemas/shop.built' });
    expect(schemas.components).toMatchObject({
      'shop.built': {
        type: 'object',
        properties: { first: { $ref: '#/components/schemas/Part' }, second: { $ref: '#/components/schemas/Part' } },
        required: ['first', 'second'],
      },
      Part: {
        properties: { parts: { type: 'array', items: { $ref: '#/components/schemas/Part' } } },
        required: ['name'],
      },
    });
  });

  it('keeps classes of one name apart', async () => {
    const make = (type: string) => {
      class Line {
        @IsString() text!: string;
      }
      class Message {
        @ValidateNested() @Type(() => Line) line!: Line;
      }
      Event(type)(Message);
      return Message;
    };
    const schemas = new JsonSchemas();
    await schemas.of(make('shop.one'));
    await schemas.of(make('shop.two'));
    expect(Object.keys(schemas.components).sort()).toEqual(['Line', 'Line.2', 'shop.one', 'shop.two']);
    expect(schemas.components['shop.two']).toMatchObject({
      properties: { line: { $ref: '#/components/schemas/Line.2' } },
    });
  });

  it('keeps a property whose name is a word of other dialects', async () => {
    @Event('shop.odd')
    class Odd {
      @IsBoolean() nullable!: boolean;
    }
    const schemas = new JsonSchemas();
    await schemas.of(Odd);
    expect(schemas.components['shop.odd']).toMatchObject({ properties: { nullable: { type: 'boolean' } } });
  });
});

describe('the JSON Schema of a class with a schema', () => {
  it('has its inner definitions among the components', async () => {
    interface Tree {
      readonly children: readonly Tree[];
    }
    const Tree: z.ZodType<Tree, Tree> = z
      .object({
        get children() {
          return z.array(Tree);
        },
      })
      .meta({ id: 'tree of names' });
    @Event('shop.grown')
    class Grown extends Schema(z.object({ tree: Tree })) {}
    const schemas = new JsonSchemas();
    await schemas.of(Grown);
    const inner = '#/components/schemas/shop.grown.tree_of_names';
    expect(schemas.components['shop.grown']).toMatchObject({ properties: { tree: { $ref: inner } } });
    expect(schemas.components['shop.grown.tree_of_names']).toMatchObject({
      properties: { children: { items: { $ref: inner } } },
    });
    expect(JSON.stringify(schemas.components)).not.toContain('#/definitions');
  });

  it('is that of what the schema takes', async () => {
    @Event('shop.priced')
    class Priced extends Schema(v.object({ currency: v.optional(v.string(), 'EUR') })) {}
    const schemas = new JsonSchemas();
    await schemas.of(Priced);
    expect(schemas.components['shop.priced']).toMatchObject({
      properties: { currency: { type: 'string', default: 'EUR' } },
      required: [],
    });
  });

  it('is refused when its library has none', async () => {
    const unknown: StandardSchemaV1<{ id: string }> = {
      '~standard': { version: 1, vendor: 'home-made', validate: (value) => ({ value: value as { id: string } }) },
    };
    @Event('shop.made')
    class Made extends Schema(unknown) {}
    await expect(new JsonSchemas().of(Made)).rejects.toThrow(
      "the schema of shop.made is of 'home-made', which has no Standard JSON Schema",
    );
  });
});
