/// What went wrong between us and PostgreSQL: who is at fault, and whether a retry can help.
///
/// `description` never holds values of rows or parameters: messages of the SQLSTATE classes that quote data are left
/// out. `serverMessage` is what the server said, for a person with access to the data.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// Who is at fault, which decides whether a retry can help.
    package enum Kind: String, Sendable, CaseIterable {
        /// The server refused the statement; `sqlState` says why.
        case refused
        /// `statement_timeout` or `lock_timeout` ended the statement.
        case timedOut
        /// No connection could be made.
        case connectionFailed
        /// The connection broke; outside a transaction nobody knows whether the statement ran.
        case connectionLost
        /// The connection broke during COMMIT: the transaction may have happened. Never retried here.
        case commitOutcomeUnknown
        /// All connections are leased, and the wait was too long or the queue is full.
        case poolBusy
        /// The pool, or the transaction, has ended.
        case closed
        /// A column is missing or holds another type than was asked for: our mistake.
        case undecodable
        /// A parameter cannot be sent: text with U+0000, or more than 65,535 parameters.
        case badParameter
    }

    package let kind: Kind
    /// Five characters, by appendix A of PostgreSQL's manual; nil where the server did not speak.
    package let sqlState: String?
    /// The constraint that was violated, as the schema names it.
    package let constraint: String?
    /// `ERROR`, `FATAL` or `PANIC`; nil where the server did not speak.
    package let severity: String?
    /// The server's or libpq's own words. May hold data: not for clients.
    package let serverMessage: String
    private let text: String

    init(
        _ kind: Kind, _ text: String, sqlState: String? = nil, constraint: String? = nil, severity: String? = nil,
        serverMessage: String = ""
    ) {
        self.kind = kind
        self.text = text
        self.sqlState = sqlState
        self.constraint = constraint
        self.severity = severity
        self.serverMessage = serverMessage
    }

    package var description: String {
        var parts = text
        if let sqlState { parts += " (SQLSTATE \(sqlState)" + (constraint.map { ", constraint \($0)" } ?? "") + ")" }
        return parts
    }
}

extension PostgresError {
    /// True for a serialization failure or a deadlock: the transaction did nothing and may be run again.
    package var isTransient: Bool { sqlState == SQLState.serializationFailure || sqlState == SQLState.deadlock }

    /// True where the database cannot be reached now: answer 503, a later try can succeed.
    package var isUnavailable: Bool {
        switch kind {
        case .connectionFailed, .connectionLost, .poolBusy, .closed: true
        default: false
        }
    }

    /// True where another attempt to connect can succeed without anybody changing a setting.
    var canReconnect: Bool {
        guard kind == .connectionFailed || kind == .connectionLost else { return false }
        // 28: wrong role or password; 3D: no such database. Waiting does not help.
        guard let sqlState else { return true }
        return !sqlState.hasPrefix("28") && !sqlState.hasPrefix("3D")
    }

    /// The word under which errors are counted: the kind, and for refusals the SQLSTATE class.
    package var figure: String {
        guard kind == .refused, let sqlState else { return kind.rawValue }
        return "sqlstate_\(sqlState.prefix(2))"
    }

    /// The same trouble, met where the answer to COMMIT was due.
    var duringCommit: PostgresError {
        PostgresError(
            .commitOutcomeUnknown, "the connection to PostgreSQL broke during COMMIT: the change may or may not exist",
            sqlState: sqlState, severity: severity, serverMessage: serverMessage)
    }

    /// An error that the server reported.
    static func refused(
        _ message: String, sqlState: String, constraint: String?, severity: String?
    ) -> PostgresError {
        let kind: Kind =
            sqlState == SQLState.queryCanceled || sqlState == SQLState.lockNotAvailable ? .timedOut : .refused
        let quotesData = ["22", "23", "P0"].contains(sqlState.prefix(2))
        let reason = SQLState.names[sqlState] ?? (quotesData ? "the data breaks a rule of the database" : message)
        return PostgresError(
            kind, "PostgreSQL: \(reason)", sqlState: sqlState, constraint: constraint, severity: severity,
            serverMessage: message)
    }

    /// The connection is gone; `sqlState` is what the server said before it left, if anything.
    static func lost(_ message: String, sqlState: String? = nil) -> PostgresError {
        PostgresError(
            .connectionLost, "the connection to PostgreSQL broke: \(message.oneLine)", sqlState: sqlState,
            serverMessage: message)
    }

    /// No connection came about.
    static func unreachable(_ message: String, sqlState: String? = nil) -> PostgresError {
        PostgresError(
            .connectionFailed, "no connection to PostgreSQL: \(message.oneLine)", sqlState: sqlState,
            serverMessage: message)
    }
}

/// The SQLSTATE codes that somebody decides by.
package enum SQLState {
    package static let uniqueViolation = "23505"
    package static let foreignKeyViolation = "23503"
    package static let notNullViolation = "23502"
    package static let checkViolation = "23514"
    package static let serializationFailure = "40001"
    package static let deadlock = "40P01"
    package static let queryCanceled = "57014"
    package static let lockNotAvailable = "55P03"
    package static let diskFull = "53100"
    package static let undefinedTable = "42P01"
    static let featureNotSupported = "0A000"
    static let undefinedStatement = "26000"

    /// In words, where the server's own would quote data or say less.
    static let names = [
        uniqueViolation: "a row with this key exists already",
        foreignKeyViolation: "a row that this one refers to is missing, or is still referred to",
        notNullViolation: "a value that must be there is missing",
        checkViolation: "a value breaks a check of the table",
        serializationFailure: "another transaction changed the same rows",
        deadlock: "two transactions waited for each other",
        queryCanceled: "the statement took longer than it may",
        lockNotAvailable: "another transaction held a lock for too long",
    ]
}

extension String {
    /// The text on one line, as libpq ends messages with a line feed and lists hosts one a line.
    var oneLine: String { split(whereSeparator: \.isNewline).joined(separator: "; ") }
}
