import CLibpq

/// One row of an answer. Values are read from libpq's memory on demand: keeping one row keeps its whole answer.
package struct Row: Sendable {
    let result: PostgresResult
    let index: Int32

    /// The value of a column.
    ///
    /// - Throws: `undecodable`, which names column and type, if the column is missing, is NULL where `type` is not
    ///   optional, or does not read as `type`.
    package func value<Value: PostgresDecodable>(_ column: String, as type: Value.Type = Value.self) throws -> Value {
        guard let place = result.place(of: column) else {
            throw PostgresError(.undecodable, "the answer has no column `\(column)`")
        }
        guard let value = result.value(row: index, column: place, as: type) else {
            let found = PQgetisnull(result.pointer, index, place) == 1 ? "NULL" : "something else"
            throw PostgresError(.undecodable, "column `\(column)` should hold \(type), and holds \(found)")
        }
        return value
    }
}

/// An answer of the server.
// Unchecked: a PGresult is never changed after libpq handed it out, and libpq allows reads from any thread
// ("libpq-threading" in the manual); `deinit` is the only writer.
final class PostgresResult: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over `pointer`, which may not be cleared by anybody else.
    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    var rows: [Row] { (0..<PQntuples(pointer)).map { Row(result: self, index: $0) } }

    /// Rows that the statement changed or returned.
    var rowsAffected: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// The command tag without counts: `COMMIT`, `ROLLBACK`, …
    var command: String { String(cString: PQcmdStatus(pointer)) }

    fileprivate func place(of column: String) -> Int32? {
        // Not PQfnumber: that one folds case unless the name is quoted.
        (0..<PQnfields(pointer)).first { place in PQfname(pointer, place).map { String(cString: $0) } == column }
    }

    fileprivate func value<Value: PostgresDecodable>(row: Int32, column: Int32, as type: Value.Type) -> Value? {
        guard PQgetisnull(pointer, row, column) == 0, let start = PQgetvalue(pointer, row, column) else {
            return Value.decode(nil)
        }
        let length = Int(PQgetlength(pointer, row, column))
        return start.withMemoryRebound(to: UInt8.self, capacity: length) {
            Value.decode(UnsafeBufferPointer(start: $0, count: length))
        }
    }

    /// A field of the error that this answer reports, such as `PG_DIAG_SQLSTATE`; nil if the server sent none.
    private func field(_ code: Character) -> String? {
        guard let ascii = code.asciiValue else { return nil }
        return PQresultErrorField(pointer, Int32(ascii)).map { String(cString: $0) }
    }

    /// The error in an answer whose status is an error.
    var error: PostgresError {
        // The letters are libpq's PG_DIAG_… macros, which Swift does not import.
        guard let sqlState = field("C") else {
            return .lost(String(cString: PQresultErrorMessage(pointer)))
        }
        return .refused(
            field("M") ?? "no message", sqlState: sqlState, constraint: field("n"), severity: field("V") ?? field("S"))
    }
}
