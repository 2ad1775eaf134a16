/**
 * A driver's sale through the typed client: log in, see what is on the vehicle, sell, send it again.
 *
 * `npm run generate && npm run check` proves that it fits the API; `npm start` runs it against a server with the
 * demo data (API_URL, else http://127.0.0.1:8000).
 */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, operations, paths } from "./api";

type Schemas = components["schemas"];
type ErrorCode<Operation extends keyof operations, Status extends keyof operations[Operation]["responses"]> =
  operations[Operation]["responses"][Status] extends { content: { "application/json": infer Body } }
    ? Body extends { errors: { code: infer Code }[] } ? Code : never
    : never;

/** Why a sale can be refused, as the schema names it: a code that the server doesn't know is a type error here. */
type SaleRefusal = ErrorCode<"transactions_create", 409>;

const WHAT_TO_DO = {
  insufficient_stock: "Count what is on the vehicle, or load more.",
  rate_mismatch: "The price has changed: show the new one.",
  meter_reading_decreased: "Read the meter again.",
  meter_moved_on: "The meter was read later already: ask the office.",
  customer_inactive: "Ask the office: this customer isn't supplied any more.",
} satisfies Partial<Record<SaleRefusal, string>>;

export function client(baseUrl: string, token: () => string | undefined) {
  const api = createClient<paths>({ baseUrl });
  const bearer: Middleware = {
    onRequest({ request }) {
      const access = token();
      if (access) request.headers.set("Authorization", `Bearer ${access}`);
      return request;
    },
  };
  api.use(bearer);
  return api;
}

/** What a person is told of a refusal. */
export function inWords({ errors }: Schemas["Errors"]): string {
  return errors
    .map(({ code, detail }) => [detail, code in WHAT_TO_DO ? WHAT_TO_DO[code as keyof typeof WHAT_TO_DO] : ""])
    .map((sentences) => sentences.filter(Boolean).join(" "))
    .join("\n");
}

export async function fieldSale(baseUrl: string, username: string, password: string): Promise<string[]> {
  let access: string | undefined;
  const api = client(baseUrl, () => access);

  const login = await api.POST("/api/token/", { body: { username, password } });
  if (login.error) throw new Error(inWords(login.error));
  access = login.data.access;

  const stock = await api.GET("/api/inventories/", {
    params: { query: { inventory_type: "VEHICLE", condition: "FULL" } },
  });
  if (stock.error) throw new Error(inWords(stock.error));
  const full = stock.data.results.find((balance) => balance.quantity > 0);
  if (!full) throw new Error("Nothing full is on the vehicle.");

  // The app's own id makes the sale safe to send again, by this program or by whoever finds it in a queue.
  const sale: Schemas["SaleInRequest"] & { client_temp_id: string } = {
    customer: 1,
    client_temp_id: crypto.randomUUID(),
    items: [{ equipment: full.equipment, type: "SALE", quantity: 1 }],
  };
  const said: string[] = [];
  for (const attempt of ["sold", "sent again"]) {
    const answer = await api.POST("/api/transactions/", { body: sale });
    if (answer.error) throw new Error(inWords(answer.error));
    const { transaction, invoice } = answer.data;
    said.push(`${attempt}: ${transaction.transaction_number}, ${invoice.invoice_number}, S$ ${invoice.total_amount}`);
  }

  const refused = await api.POST("/api/transactions/", {
    body: { ...sale, client_temp_id: crypto.randomUUID(), items: [{ equipment: full.equipment, type: "SALE", quantity: 9_000 }] },
  });
  said.push(`refused: ${refused.error ? inWords(refused.error) : "no"}`);
  return said;
}
