# Turns data/instance_types.csv into instance_types.inc. Run by `cmake -DCSV=... -DOUT=... -P`, and
# included by the parent directory to set up that run.
if(CMAKE_SCRIPT_MODE_FILE)
  file(STRINGS ${CSV} rows REGEX "^[^#].*,[0-9]")
  set(text "")
  foreach(row IN LISTS rows)
    string(REGEX REPLACE "^([^,]+),(.*)$" "{\"\\1\",\\2},\n" entry "${row}")
    string(APPEND text "${entry}")
  endforeach()
  file(WRITE ${OUT} "${text}")
  return()
endif()

set(instance_types_dir ${CMAKE_CURRENT_BINARY_DIR}/cloud)
add_custom_command(
  OUTPUT ${instance_types_dir}/instance_types.inc
  COMMAND ${CMAKE_COMMAND} -DCSV=${PROJECT_SOURCE_DIR}/sim/cloud/data/instance_types.csv
          -DOUT=${instance_types_dir}/instance_types.inc -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${PROJECT_SOURCE_DIR}/sim/cloud/data/instance_types.csv ${CMAKE_CURRENT_LIST_FILE}
  VERBATIM)
target_sources(sim_cloud PRIVATE ${instance_types_dir}/instance_types.inc)
target_include_directories(sim_cloud PRIVATE ${instance_types_dir})
