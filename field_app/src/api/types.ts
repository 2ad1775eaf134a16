/** The words of the API that this app uses, each as the schema has it. */
import type { components } from "./schema"

type Schemas = components["schemas"]

export type Me = Schemas["MeOut"]
export type Depot = Schemas["Depot"]
export type Equipment = Schemas["Equipment"]
export type GstRate = Schemas["GstRate"]
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
export type Pulled = Schemas["PullOfDeviceOut"]
export type ApiError = Schemas["Error"]
