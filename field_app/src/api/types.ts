/** The words of the API that this app uses, each as the schema has it. */
import type { components } from "./schema"

type Schemas = components["schemas"]

export type Me = Schemas["MeOut"]
export type Depot = Schemas["Depot"]
export type Equipment = Schemas["Equipment"]
export type GstRate = Schemas["PullOfDeviceOut"]["gst_rates"][number]
export type Customer = Schemas["PulledCustomer"]
export type Stock = Schemas["PulledStock"]
export type Condition = Schemas["Condition"]
export type Distribution = Schemas["DistributionOut"]
export type NewDistribution = Schemas["DistributionInRequest"]
export type DistributionItem = Schemas["DistributionItemInRequest"]
export type NewSale = Schemas["SaleInRequest"]
export type SaleItem = Schemas["SaleItemInRequest"]
export type ItemType = Schemas["ItemType"]
export type RateSource = Schemas["RateSource"]
export type Transaction = Schemas["TransactionOut"]
export type Invoice = Schemas["InvoiceOut"]
export type Vehicle = Schemas["Vehicle"]
export type CountedItem = Schemas["CountedItemInRequest"]
export type VehicleCount = Schemas["VehicleCountOut"]
export type CashCount = Schemas["CashCountOut"]
export type CountStatus = Schemas["CountStatus"]
export type Pulled = Schemas["PullOfDeviceOut"]
/** What each answer to a device tells it about itself. */
export type Heard = Pick<Pulled, "device">
/** The store's id as a device, and the last number that one of its operations took. */
export type Device = Schemas["DeviceInRequest"]
export type SentOperation = Required<Omit<Schemas["OperationInRequest"], "number">> & { number: number }
export type Push = Required<Omit<Schemas["PushDocumentationRequest"], "operations">> & { operations: SentOperation[] }
/** What the sale was based on; what nobody knew is left out. */
export type BasedOn = { last_reading?: string; total_with_gst?: string; cash?: string }
export type PushResult = Schemas["ResultOfDeviceOut"]
/** There may be codes that this app doesn't know yet. */
export type Discrepancy = Omit<Schemas["DifferenceOut"], "code"> & { code: string }
export type ApiError = Schemas["Error"]
