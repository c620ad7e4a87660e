import { ConfigurationError } from '@millrace/broker';
import type { Broker, Write } from '@millrace/broker';
import { personalPlanOf, personalValues, replaceAt } from '@millrace/messages';
import type { PersonalPlan } from '@millrace/messages';

/** A row as it is written. */
export type RowWrite = Extract<Write, { kind: 'row' }>;

/** How the rows of a view stand in the store: with their personal data encrypted, where their class declares some. */
export class PersonalRows {
  constructor(
    private readonly broker: Broker,
    private readonly plan: PersonalPlan | undefined,
  ) {}

  /** Whether rows have personal data. */
  get some(): boolean {
    return this.plan !== undefined;
  }

  /** A stored row as JSON that can be read. A promise only where it has personal data. */
  open(view: string, id: string, text: string): string | Promise<string> {
    const { plan } = this;
    return plan ? this.decrypted(view, id, text, plan) : text;
  }

  private async decrypted(view: string, id: string, text: string, plan: PersonalPlan): Promise<string> {
    return JSON.stringify(await this.protection().openDerived(text, plan, aboutRow(view, id)));
  }

  /** Rows as they are written. */
  async seal(writes: readonly RowWrite[]): Promise<readonly RowWrite[]> {
    const { plan } = this;
    if (!plan) return writes;
    const sealed = async (write: RowWrite): Promise<RowWrite> => {
      if (write.value === null) return write;
      const about = aboutRow(write.view, write.id);
      return { ...write, value: await this.protection().sealDerived(JSON.parse(write.value), plan, about) };
    };
    return Promise.all(writes.map(sealed));
  }

  private protection(): NonNullable<Broker['personalData']> {
    const { personalData, context } = this.broker;
    if (personalData) return personalData;
    throw new ConfigurationError(
      `rows of a view have personal data, and service '${context}' no keys: give the module personalData: { keys, masterKey }`,
    );
  }
}

/** A row as indexes may see it: their values stand in the store as they are. */
export function withoutPersonalData(row: unknown, plan: PersonalPlan | undefined): unknown {
  if (!plan) return row;
  for (const { path } of [...personalValues(row, plan, 'row')]) replaceAt(row as object, path, undefined);
  return row;
}

/** @throws ConfigurationError for a class that declares no personal data */
export function planOfRows(
  projection: string,
  rows: 'none' | (abstract new (...args: never[]) => object),
): PersonalPlan | undefined {
  if (rows === 'none') return undefined;
  const plan = personalPlanOf(rows);
  if (plan) return plan;
  throw new ConfigurationError(
    `projection '${projection}' has personalData: ${rows.name}, which declares none: mark properties with @PersonalData(), ` +
      `or write 'none' when rows hold no personal data`,
  );
}

function aboutRow(view: string, id: string): readonly string[] {
  return ['row', view, id];
}

/** What of the rows of a projection is encrypted. */
export function rowPlanOf({
  personalData,
}: {
  readonly personalData: 'none' | PersonalPlan | undefined;
}): PersonalPlan | undefined {
  return personalData === 'none' ? undefined : personalData;
}
