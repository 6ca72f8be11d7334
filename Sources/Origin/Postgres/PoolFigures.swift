/// What a pool does at this moment, and what it counted since it was opened.
package struct PoolFigures: Sendable {
    /// Connections that run something.
    package let busy: Int
    package let idle: Int
    /// Connections that are being made.
    package let opening: Int
    /// Tasks that wait for a connection.
    package let waiting: Int
    package let connectionsMax: Int
    /// Leases granted.
    package let leases: UInt64
    /// Transactions that were run again.
    package let retries: UInt64
    /// Errors by `PostgresError.figure`: at most one key a kind and a SQLSTATE class.
    package let errors: [String: UInt64]

    init(busy: Int, idle: Int, opening: Int, waiting: Int, connectionsMax: Int, counters: PoolCounters) {
        self.busy = busy
        self.idle = idle
        self.opening = opening
        self.waiting = waiting
        self.connectionsMax = connectionsMax
        leases = counters.leases
        retries = counters.retries
        errors = counters.errors
    }
}

struct PoolCounters {
    var leases: UInt64 = 0
    var retries: UInt64 = 0
    var errors: [String: UInt64] = [:]
}
