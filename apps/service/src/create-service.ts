import { ValidationPipe } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ErrorFilter } from './error-filter.js';
import { fieldErrors, RefusedRequest } from './field-error.js';
import { ServiceLogger } from './service-logger.js';
import type { ServiceOptions } from './service-options.js';

/** Makes a service of the shop ready to `listen()` or `init()`. @throws what makes its modules fail */
export async function createService(
  title: string,
  module: DynamicModule,
  { logger = ['log', 'warn', 'error'] }: ServiceOptions,
): Promise<INestApplication> {
  const app = await NestFactory.create<NestExpressApplication>(module, {
    abortOnError: false,
    logger: Array.isArray(logger) ? new ServiceLogger({ prefix: title, logLevels: logger }) : logger,
  });
  app.useBodyParser('json', { limit: '1mb', reviver: refusePrototypes });
  app.useGlobalFilters(new ErrorFilter());
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      stopAtFirstError: true,
      exceptionFactory: (errors) => new RefusedRequest(400, 'the request is not valid', fieldErrors(errors)),
    }),
  );
  const openApi = new DocumentBuilder().setTitle(title).setVersion('0.1.0').build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, openApi));
  return app;
}

/** Such a key would pass the whitelist of class-validator. */
function refusePrototypes(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError("the key '__proto__' is not allowed");
  return value;
}
