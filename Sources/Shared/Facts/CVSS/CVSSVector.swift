/// A CVSS vector of version 3.0, 3.1 or 4.0, read strictly, with its score.
///
/// | version  | score                                                                          | order of metrics       |
/// |----------|--------------------------------------------------------------------------------|------------------------|
/// | 3.0, 3.1 | the base score; temporal and environmental metrics are checked and left out      | any                    |
/// | 4.0      | of all metrics that are there, as the specification has one score only           | that of the specification |
///
/// Every metric stands once, with a value that the specification has; all base metrics are there.
/// Source: https://www.first.org/cvss/v3.1/specification-document, https://www.first.org/cvss/v4.0/specification-document
package struct CVSSVector: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 512

    /// Which specification; spelled as in the vector.
    package enum Version: String, Hashable, Sendable {
        case v30 = "3.0"
        case v31 = "3.1"
        case v40 = "4.0"
    }

    package let version: Version
    package let score: Score
    /// As it was read.
    package let description: String

    package var severity: Severity { score.severity }

    package init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Self.bytesMax else { throw Invalid(text: text, reason: .tooLong) }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, first.hasPrefix("CVSS:"),
            let version = Version(rawValue: String(first.dropFirst(5)))
        else { throw Invalid(text: text, reason: .unknownVersion) }
        let table = version == .v40 ? CVSSMetrics.v4 : CVSSMetrics.v3
        let values = try Self.values(parts.dropFirst(), table, in: text)
        self.version = version
        score = version == .v40 ? CVSS4(values).score : CVSS3(values).score
        description = text
    }

    private static func values(
        _ parts: ArraySlice<Substring>, _ table: CVSSMetrics, in text: String
    ) throws(Invalid) -> [String: Character] {
        var values: [String: Character] = [:]
        var lastPlace = -1
        for part in parts {
            let pair = part.split(separator: ":", omittingEmptySubsequences: false)
            guard pair.count == 2, let place = table.place(of: String(pair[0])) else {
                throw Invalid(text: text, reason: .unknownMetric(String(part)))
            }
            let metric = table.metrics[place]
            guard let value = metric.value(String(pair[1])) else {
                throw Invalid(text: text, reason: .unknownValue(String(part)))
            }
            guard values.updateValue(value, forKey: metric.name) == nil else {
                throw Invalid(text: text, reason: .repeated(metric.name))
            }
            guard place > lastPlace || !table.isOrdered else {
                throw Invalid(text: text, reason: .misplaced(metric.name))
            }
            lastPlace = place
        }
        for metric in table.metrics where metric.isRequired && values[metric.name] == nil {
            throw Invalid(text: text, reason: .missing(metric.name))
        }
        return values
    }
}

extension CVSSVector {
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        /// What is wrong with the text.
        package enum Reason: Hashable, Sendable {
            case tooLong, unknownVersion
            case unknownMetric(String)
            case unknownValue(String)
            case repeated(String)
            case misplaced(String)
            case missing(String)
        }

        package let text: String
        package let reason: Reason

        package var description: String {
            let what =
                switch reason {
                case .tooLong: "it has more than \(CVSSVector.bytesMax) bytes"
                case .unknownVersion: "it does not begin with CVSS:3.0, CVSS:3.1 or CVSS:4.0"
                case .unknownMetric(let part): "there is no metric `\(part.prefix(40))`"
                case .unknownValue(let part): "`\(part.prefix(40))` is no value of that metric"
                case .repeated(let name): "`\(name)` stands twice"
                case .misplaced(let name): "`\(name)` stands behind a metric that follows it"
                case .missing(let name): "`\(name)` is missing"
                }
            return "`\(text.prefix(120))` is no CVSS vector: \(what)"
        }
    }
}
