#include "results/figure.h"

namespace cnisim {

std::string_view UnitOf(const FigureSpec& figure) {
  return figure.statistic == Statistic::kCount ? "values" : InfoOf(figure.metric).unit;
}

std::optional<double> ValueOf(const FigureSpec& figure, const Summary& summary) {
  if (!figure.entity) return summary.Value(figure.metric, figure.statistic);
  const auto entity = summary.FindEntity(InfoOf(figure.metric).label, *figure.entity);
  if (!entity) return std::nullopt;
  return summary.Value(figure.metric, *entity, figure.statistic);
}

Result<std::optional<double>> ValueOf(const FigureSpec& figure, Database& db, int64_t run_id) {
  // Sums and counts of nothing are 0, as in a summary, and have no rows.
  Result<Statement> select = db.Prepare(
      figure.entity ? "SELECT s.value FROM scalar s JOIN metric m USING (metric_id) "
                      "JOIN entity e USING (run_id, entity_id) WHERE s.run_id = ? AND m.name = ? "
                      "AND s.statistic = ? AND e.kind = ? AND e.name = ?"
                    : "SELECT s.value FROM scalar s JOIN metric m USING (metric_id) "
                      "WHERE s.run_id = ? AND m.name = ? AND s.statistic = ? "
                      "AND s.entity_id IS NULL");
  if (!select) return tl::unexpected(select.error());
  select->BindInt(0, run_id);
  select->BindText(1, InfoOf(figure.metric).name);
  select->BindText(2, NameOf(figure.statistic));
  if (figure.entity) {
    select->BindText(3, NameOf(InfoOf(figure.metric).label));
    select->BindText(4, *figure.entity);
  }
  const Result<bool> row = select->Step();
  if (!row) return tl::unexpected(row.error());
  return *row ? std::optional(select->Real(0)) : std::nullopt;
}

}  // namespace cnisim
