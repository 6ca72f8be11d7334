import Foundation
import Synchronization

/// Collects a row a scenario and prints the whole table when the process ends, to be copied.
enum FaultReport {
    struct Row: Sendable {
        let scenario: String
        /// What clients were answered, by what they asked for.
        let codes: String
        /// Milliseconds from the repair to fresh, by edge.
        let fresh: String
        let notes: String
    }

    private static let rows = Mutex<[Row]>([])
    private static let printsAtEnd: Void = { atexit { FaultReport.printTable() } }()

    static func add(_ row: Row) {
        _ = printsAtEnd
        rows.withLock { $0.append(row) }
        print("FAULT \(line(row))")
    }

    private static func line(_ row: Row) -> String {
        "| \(row.scenario) | \(row.codes) | \(row.fresh) | \(row.notes) |"
    }

    private static func printTable() {
        let all = rows.withLock { $0 }
        print("\n| scenario | what clients saw | ms from the repair to fresh | checked |\n|---|---|---|---|")
        for row in all { print(line(row)) }
    }
}
