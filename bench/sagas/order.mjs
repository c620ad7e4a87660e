/** What the messages of an order say, on both sides: plain data. */
export const words = {
  /** What the saga remembers of the order, about 200 bytes of JSON. */
  order: ({ orderId, customerId, lines, total, currency }) => ({ orderId, customerId, lines, total, currency }),
  reserveStock: ({ orderId, lines }) => ({ orderId, lines }),
  stockReserved: ({ orderId }) => ({ reservation: `reservation-of-${orderId}` }),
  releaseStock: ({ orderId, reservation }) => ({ orderId, reservation }),
  takePayment: ({ orderId, customerId, total, currency }) => ({ orderId, customerId, total, currency }),
  paymentTaken: ({ orderId }) => ({ payment: `payment-of-${orderId}` }),
  refundPayment: ({ orderId, payment }) => ({ orderId, payment }),
  bookDelivery: ({ orderId, customerId }) => ({ orderId, customerId }),
  deliveryBooked: ({ orderId }) => ({ delivery: `delivery-of-${orderId}` }),
  noDelivery: () => ({ reason: 'nobody delivers there' }),
  rejectOrder: ({ orderId }, reason) => ({ orderId, reason }),
  nothing: () => ({}),
};
