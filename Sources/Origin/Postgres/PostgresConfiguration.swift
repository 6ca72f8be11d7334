/// Where PostgreSQL is and how patient we are with it. Every limit has a default that suits one origin replica.
package struct PostgresConfiguration: Sendable {
    /// Any libpq connection string, key/value or URI, TLS options, several hosts and a service name included; libpq
    /// reads it. Holds a password perhaps: never log it.
    package var connectionString: String
    /// What `pg_stat_activity` shows, unless the connection string says otherwise.
    package var applicationName = "longshore"
    /// The most connections that a pool opens.
    package var connectionsMax = 16
    /// The most tasks that may wait for a connection; the next is refused at once.
    package var waitingMax = 512
    /// How long a task waits for a connection, reconnecting included.
    package var leaseTimeout: Duration = .seconds(5)
    /// How long one attempt to connect may take, over all hosts of the connection string.
    package var connectTimeout: Duration = .seconds(5)
    /// `statement_timeout` of each connection; `.zero` means no limit.
    package var statementTimeout: Duration = .seconds(15)
    /// `lock_timeout` of each connection; `.zero` means no limit.
    package var lockTimeout: Duration = .seconds(10)
    /// A connection older than this is closed when it comes back, so that replicas follow a failover or a new DNS entry.
    package var connectionAgeMax: Duration = .seconds(3600)
    /// How often a transaction is tried before its serialization failure or deadlock is reported.
    package var transactionAttemptsMax = 8
    /// Prepared statements that a connection keeps; the one unused for longest goes first.
    package var statementsMax = 256

    /// - Parameter connectionString: passed to libpq as it is; empty means the `PG…` environment variables.
    package init(connectionString: String) { self.connectionString = connectionString }
}

extension PostgresConfiguration {
    /// How long we wait for an answer after the server should have given up by itself.
    static let answerGrace: Duration = .seconds(5)

    /// The moment at which a silent server counts as lost; nil without a statement timeout.
    func answerDeadline(from now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        statementTimeout > .zero ? now + statementTimeout + Self.answerGrace : nil
    }

    /// libpq keywords in the order in which later ones win: ours, the operator's, then what this client relies on.
    var keywords: [(name: String, value: String)] {
        [
            ("fallback_application_name", applicationName), ("keepalives", "1"), ("keepalives_idle", "30"),
            ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
            ("dbname", connectionString), ("client_encoding", "UTF8"),
        ]
    }

    /// The settings that values are read with, and the timeouts; sent once a connection.
    var sessionScript: String {
        """
        SET statement_timeout = \(statementTimeout.milliseconds);
        SET lock_timeout = \(lockTimeout.milliseconds);
        SET idle_in_transaction_session_timeout = 60000;
        SET DateStyle = 'ISO';
        SET TimeZone = 'UTC';
        SET bytea_output = 'hex';
        SET standard_conforming_strings = on
        """
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, so that a short limit never becomes "no limit".
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
