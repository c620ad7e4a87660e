import { Controller, Get, Inject, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ASYNCAPI_RULES, asyncApiDocument } from '../core/asyncapi/asyncapi-document.js';
import type { AsyncApiDocument, AsyncApiOptions } from '../core/asyncapi/asyncapi-document.js';
import { checkOptions } from '../core/options/check-options.js';
import type { Rules } from '../core/options/check-options.js';
import { text } from '../core/options/rules.js';
import { describe } from './describe.js';

export interface AsyncApiModuleOptions extends Omit<AsyncApiOptions, 'namespace'> {
  /** Where the document is served. Default `asyncapi.json`. */
  readonly path?: string;
}

const { namespace: _namespace, ...DOCUMENT } = ASYNCAPI_RULES;
const RULES: Rules<AsyncApiModuleOptions> = { ...DOCUMENT, path: text };

/**
 * Serves the AsyncAPI document of the application at `/asyncapi.json`. Opt-in: who may read it, the guards of the
 * application decide. Needs `class-validator-jsonschema` for contracts by class-validator, and `@valibot/to-json-schema` for
 * those by Valibot.
 *
 * @example
 * AsyncApiModule.forRoot({ title: 'Orders', version: '2.1.0' })
 */
@Module({})
export class AsyncApiModule {
  /** @throws ConfigurationError for options that cannot work */
  static forRoot({ path = 'asyncapi.json', ...options }: AsyncApiModuleOptions = {}): DynamicModule {
    checkOptions('AsyncApiModule.forRoot', { path, ...options }, RULES);
    @Controller()
    class AsyncApiController {
      private document: Promise<AsyncApiDocument> | undefined;

      constructor(@Inject(ModuleRef) private readonly modules: ModuleRef) {}

      @Get(path)
      read(): Promise<AsyncApiDocument> {
        return (this.document ??= asyncApi(this.modules, options));
      }
    }
    return { module: AsyncApiModule, controllers: [AsyncApiController] };
  }
}

/**
 * The AsyncAPI document of an application, which need not have been started.
 *
 * @throws ConfigurationError for a declaration that cannot work; MessageError `no-json-schema` for a schema that cannot be
 *   described
 */
export async function asyncApi(
  app: Parameters<typeof describe>[0],
  options: AsyncApiOptions = {},
): Promise<AsyncApiDocument> {
  checkOptions('asyncApi', options, ASYNCAPI_RULES);
  return asyncApiDocument(describe(app), options);
}
