extension Settings {
    /// What is in force, one line a setting with its source; secrets are hidden.
    package func describe() -> String {
        let rows = entries.map { entry in
            (name: entry.setting.name, value: Self.shown(entry), source: entry.source.description)
        }
        let nameWidth = rows.map(\.name.count).max() ?? 0
        let valueWidth = min(rows.map(\.value.count).max() ?? 0, 40)
        return rows.map { row in
            "\(row.name.padded(nameWidth))  \(row.value.padded(valueWidth))  (\(row.source))"
        }.joined(separator: "\n")
    }

    /// The settings part of `--help`.
    package static func help(_ table: [Setting]) -> String {
        let rows = table.map { setting in
            let hint = setting.standard.map { " (default: \($0))" } ?? ""
            return "  --\(setting.name) \(setting.kind.placeholder)\n        \(setting.explanation)\(hint)"
        }
        return """
            SETTINGS:
            \(rows.joined(separator: "\n"))
              --config PATH
                    A JSON file of settings: {"name": value, …}

            Each setting can also stand in the environment (\(table.first?.environmentName ?? "LONGSHORE_NAME")=…) \
            or in the file; flags win over the environment, the environment over the file. A secret can be given as a \
            file that holds it: --NAME-file PATH, LONGSHORE_NAME_FILE. Sizes: 512KiB, 64MiB, 2GiB. Times: 500ms, 5s, \
            10m, 24h.
            """
    }

    /// The table of docs/OPERATIONS.md, one row a setting.
    package static func markdownTable(_ table: [Setting]) -> String {
        let rows = table.map { setting in
            let standard = setting.standard.map { "`\($0)`" } ?? "—"
            let alias = setting.environmentAlias.map { ", `\($0)`" } ?? ""
            let accepted = setting.kind.placeholder.replacing("|", with: "\\|")
            return """
                | `--\(setting.name)` | `\(setting.environmentName)`\(alias) | \(accepted) | \(standard) | \
                \(setting.explanation.replacing("|", with: "\\|")) |
                """
        }
        return (["| flag | environment | value | default | meaning |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n") + "\n"
    }

    private static func shown(_ entry: Entry) -> String {
        guard let raw = entry.raw else { return "unset" }
        return entry.setting.kind.isSecret ? "(hidden)" : raw
    }
}

/// "Did you mean": the setting whose name is nearest to a mistyped one.
enum SettingGuess {
    /// - Returns: text to be put into a sentence, or nothing.
    static func hint(_ name: String, _ table: [Setting]) -> String {
        let nearest = table.map { (name: $0.name, distance: distance(Array(name.utf8), Array($0.name.utf8))) }
            .min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(2, nearest.name.count / 4) else { return "" }
        return " (did you mean `\(nearest.name)`?)"
    }

    /// Levenshtein's distance in bytes; names longer than 100 bytes are like nothing.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard left.count <= 100, right.count <= 100 else { return .max }
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let substituted = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, width - count))
    }
}
