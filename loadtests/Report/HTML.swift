/// Text in a page. Everything that comes from outside goes through `text`: names of applications and errors do.
enum HTML {
    /// Fit between tags and in a quoted attribute.
    static func text(_ raw: String) -> String {
        var safe = ""
        for character in raw.unicodeScalars {
            switch character {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            case "\n": safe += "&#10;"
            case _ where character.value < 32: safe += " "
            default: safe.unicodeScalars.append(character)
            }
        }
        return safe
    }

    /// - Parameter texts: how many columns hold words; the others hold numbers, which stand at the right.
    static func table(_ header: [String], _ rows: [[String]], texts: Int = 1) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            let shown = cells.enumerated().map { column, cell in
                "<\(tag)\(column < texts ? " class=\"word\"" : "")>\(text(cell))</\(tag)>"
            }
            return "<tr>\(shown.joined())</tr>"
        }
        return "<div class=\"wide\"><table><thead>\(row(header, "th"))</thead><tbody>"
            + rows.map { row($0, "td") }.joined(separator: "\n") + "</tbody></table></div>"
    }
}
