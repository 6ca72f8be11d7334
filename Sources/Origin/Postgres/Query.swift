/// One SQL statement and the values of its parameters.
///
/// Interpolation can only bind: `"SELECT 1 FROM crates WHERE id = \(id)"` sends `… id = $1` and the value beside it.
/// A statement that is written with `$1…` takes its values from `bind`. The text is the key under which a connection
/// keeps the prepared statement, so text that varies (`identifier:`) costs a parse each time.
package struct Query: Sendable, ExpressibleByStringInterpolation {
    /// The statement with `$1`, `$2`, … where values belong.
    package private(set) var sql: String
    package private(set) var parameters: [PostgresParameter]

    package init(stringLiteral value: String) {
        sql = value
        parameters = []
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    /// The same statement with the values of `$1`, `$2`, … in order.
    package func bind(_ values: any PostgresEncodable...) -> Query {
        var bound = self
        bound.parameters = values.map(\.postgresParameter)
        return bound
    }

    /// Asks for the plan of the statement instead of its rows; tests read from it that hot statements use indexes.
    package var explained: Query {
        var explained = self
        explained.sql = "EXPLAIN " + sql
        return explained
    }

    /// Collects text and parameters: what is interpolated is bound, never spliced in.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql: String
        fileprivate var parameters: [PostgresParameter] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = ""
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
        }

        package mutating func appendLiteral(_ literal: String) { sql += literal }

        /// Binds a value as the next parameter.
        package mutating func appendInterpolation(_ value: some PostgresEncodable) {
            parameters.append(value.postgresParameter)
            sql += "$\(parameters.count)"
        }

        /// Binds a value or NULL as the next parameter. Beside the one above, since the compiler warns of optionals there.
        package mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
            parameters.append(value.postgresParameter)
            sql += "$\(parameters.count)"
        }

        /// Fixed SQL, such as a list of columns. `StaticString`, so that no input can end up here.
        package mutating func appendInterpolation(literal: StaticString) {
            sql += literal.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        }

        /// The name of a table, database or channel, quoted.
        package mutating func appendInterpolation(identifier: String) { sql += identifier.quotedIdentifier }
    }
}

extension String {
    /// The text as a quoted SQL identifier; U+0000, which SQL cannot hold, is left out.
    var quotedIdentifier: String {
        let inner = unicodeScalars.reduce(into: "") { text, scalar in
            if scalar == "\"" { text += "\"\"" } else if scalar != "\0" { text.unicodeScalars.append(scalar) }
        }
        return "\"\(inner)\""
    }
}
